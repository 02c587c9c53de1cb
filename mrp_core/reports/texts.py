"""All texts of a report and of what goes out beside it, said in the language of whoever makes it; "language" is its code, for screen readers."""

from __future__ import annotations

from mrp_core.wording import Texts

TEXT = Texts({
    "language": "en",
    "kind": "Privacy and accuracy report", "made": "Made on {date} by MRP {version} from the study {id}.",
    "simulated": "Simulated data", "simulated_help": "The records of this study are made up by the program. What is measured on them is real, but says nothing about real persons.",
    "no_point": "The study {title!r} has no measured point yet, so there is nothing to report; wait for its first point, or resume it on the train page.",
    "unknown_point": "point is {key!r}, but the study has not measured it; it has: {keys}.",
    "unfinished": {
        "queued": "This study was waiting to go on when this report was made: {done} of {total} settings were measured, and all that follows rests on these alone.",
        "running": "This study was still running when this report was made: {done} of {total} settings were measured, and all that follows rests on these alone.",
        "failed": "This study had failed before its end when this report was made: {done} of {total} settings were measured, and all that follows rests on these alone.",
        "cancelled": "This study had been stopped before its end when this report was made: {done} of {total} settings were measured, and all that follows rests on these alone.",
    },
    "save": "Save as SVG",
    "no_script": "Charts need JavaScript, which is off here. The tables hold the numbers that matter.",
    "sections": {
        "point": "The chosen setting: {setting}", "note": "Author's notes", "frontier": "What accuracy costs in leakage", "roc": "How well an attacker finds members",
        "differences": "Differences from the unprotected model", "front": "Settings on the frontier", "kinds": "What each number is", "limits": "Limits and caveats",
        "measured": "How it was measured", "data": "The data", "settings": "All settings of the study", "reproduce": "How to reproduce it",
    },
    "point": {
        "accuracy": "Of what is released for fresh records of tasks that training never saw, {value} is right.",
        "mi": "One answer tells {value} about the record that was asked about.",
        "lira_auc": "Shown a member and another record, the likelihood-ratio attack (LiRA) picks the member {hits:.0f} times of 100 (guessing: 50); its AUC is {value}.",
        "lira_tpr_1pct": "While one non-member in a hundred is accused, that attack finds {value} of the members.",
        "interval": "In brackets: 95 % intervals over {seeds} seeds and {tasks} held-out tasks.", "interval_one": "In brackets: 95 % intervals over {tasks} held-out tasks of a single seed.",
        "about": "Found by the search: {about}.",
    },
    "against": {
        "real": "Against the unprotected model: {change}, a real difference.", "open": "Against the unprotected model: {change}, not told apart from no difference.",
        "reference": "λ = 0 is the unprotected model: all differences in this report are taken from it.",
        "unpaired": "λ = 0 was not measured with the same seeds, so no difference from the unprotected model can be given.",
    },
    "disagree": "The two leakages disagree here: what an answer tells about a record and how well members are found move in opposite directions. "
                "Which of them matters depends on what must stay private.",
    "guarantee": "Guaranteed: (ε, δ) = ({epsilon:g}, {delta:g}), with noise multiplier σ = {sigma:.3g} over {steps} steps. This upper bound holds against every attack, for each support record "
                 "that a new task is adapted on. It says nothing about the records of meta-training.",
    "weak_delta": "But δ = {delta:g} is not below 1 / {n}, one over the support records of an adaptation: to publish one record picked at random would meet such a guarantee.",
    "no_guarantee": "This setting comes without a guarantee: what is said of leakage are estimates and the success of attacks, and a better attack could do better.",
    "task_guarantee": "Each meta-training task with all its records is protected by (ε, δ) = ({epsilon:.3g}, {delta:g}) over all seeds and arms of the study "
                      "(noise multiplier σ = {sigma:g}, by {accountant}).",
    "frontier_alt": "Frontier: accuracy against {leakage} for {n} settings. The chosen one stands at {y:.1f} % and {x:.3g}.",
    "frontier_note": "Circles: λ. Squares: ε. Other shapes: without training. Small dots: single seeds. Band: from the least to the most lucky seed. Bars: 95 % intervals. Filled: on the "
                     "frontier; hollow in colour: not told apart from it; hollow grey: dominated. The open diamond is the chosen setting.",
    "roc_alt": "ROC of the likelihood-ratio attack at {setting} against the unprotected model, logarithmic axes.",
    "roc_note": "Both axes are logarithmic from 0.1 %. Bands: 95 %. {note}.", "roc_bound": "The line that no attack can pass is the guarantee of {setting} and bounds attacks on it alone.",
    "no_roc": "No ROC was stored for {setting}.",
    "differences_note": "Differences are paired by seed and held-out task. Their 95 % intervals hold for all {n} settings of the study at once, since somebody picks among them; "
                        "so a difference is called real only if its interval excludes zero. Two intervals of means that overlap say nothing about a paired difference.",
    "columns": {"measure": "Measure", "better": "Better", "kind": "Kind", "here": "{setting}", "free": "λ = 0, unprotected", "difference": "Paired difference", "real": "Real?",
                "setting": "Setting", "means": "What it says", "knob": "Setting", "value": "Value", "help": "What it does"},
    "better": {"higher": "higher", "lower": "lower"}, "yes": "yes", "no": "not resolved", "none": "–", "not_resolved": "not resolved", "points": "points", "infinite": "none (ε = ∞)",
    "front_note": "Settings that no other one beats in accuracy and {leakage} at once, from the most private to the most accurate: {shown} of {all}. The chosen one is in bold, if it is among them.",
    "kinds": {"estimate": "estimate", "attack": "attack: a lower bound", "lower bound": "lower bound", "upper bound": "upper bound (guarantee)"},
    "kinds_note": "An estimate may err to both sides, and its interval says by how much. An attack shows what at least leaks. Only a guarantee bounds what could leak at most.",
    "limits": (
        "An attack that fails proves nothing: a better one, or one that knows more, could succeed. Only a guarantee (ε, δ) bounds every attack, and only for what it covers.",
        "A guarantee of the noisy adaptation covers the support records of a new task, for one release each. It covers neither the records of meta-training nor a second adaptation to "
        "the same records, which spends the same again.",
        "Leakage is measured on what is released ({channel}) and on nothing else; whoever can see weights, gradients or unrounded scores may learn more.",
        "Intervals are at 95 % over seeds and held-out tasks. They know nothing of other data, other families of tasks or a wrong assumption. "
        "Rates below one over the number of non-members tried are not resolved.",
        "Averages hide persons: a record can be far more exposed than the mean says.",
    ),
    "few_seeds": "Only {seeds} seeds were run; verdicts rest better on five.",
    "one_seed": "Only one seed was run, so that intervals don't know how much seeds differ; verdicts rest better on five.",
    "measured": {
        "released": "Released output", "tasks": "Held-out tasks", "seeds": "Seeds", "members": "Members", "adaptations": "Shadow adaptations", "records": "Evaluation records",
        "training": "Training", "cost": "Cost", "machine": "Machine", "versions": "Versions", "date": "Measured on", "id": "Study id",
    },
    "told": {
        "tasks": "{tasks} tasks a seed, none of which was trained on", "members": "{ways} classes × {shots} support records a task; half of each pool is adapted on at a time",
        "adaptations": "{n} random halves a task, each with its complement", "records": "{n} fresh records a class",
        "training": "{learner}; {search}; {iterations} meta-iterations of {batch} tasks; privacy loss: {loss}", "cost": "{seconds:,.0f} s for training and audit together",
        "machine": "{cores:.0f} cores of {processor}, {machine}", "versions": "MRP {mrp}, torch {torch}, Python {python}", "unknown": "not recorded",
    },
    "data": {"family": "Data", "summary": "What is learned", "origin": "Origin", "licence": "Licence", "caveat": "Caveat", "table": "Table"},
    "no_table": "{id}, which is not on this machine",
    "parts": {"task": "Task", "privacy": "Privacy", "inner": "Inner loop", "outer": "Outer loop", "audit": "Audit"},
    "titles": {"few_shot": "few-shot classes", "pairs": "pairs of classes", "site": "same label, other site", "site_target": "other site and other target",
               "sampled_label": "one sampled label", "top_label": "the top label", "noisy_scores": "noisy scores", "scores": "rounded scores", "none": "none",
               "dp_adaptation": "clip and add noise (ε)", "head": "the head", "all": "all layers", "adam": "Adam", "sgd": "plain SGD"},
    "on": "on", "off": "off", "empty": "the family's first", "changed": "Values in bold differ from the default.",
    "reproduce": "The reproduction archive of this study (on its page, or by {command}) holds reproduce.py and study.toml. Run with the versions below, the script trains from the settings, measures "
                 "{setting}, and says whether the value lies within the published interval; on the same kind of machine it is the same number.",
    "reproduce_table": "This study was made from a table of one's own, which is not part of this report: the script needs that table on the machine where it runs.",
    "toml": "Settings as TOML",
    "expected": "Published values",
    "script": {
        "purpose": "Measure one point of a published study anew, and say whether it agrees with what was published.",
        "study": "Study: {title}", "versions": "Made with MRP {mrp}, torch {torch} and Python {python}; other versions and machines may differ in the last digits.",
        "run": "Run: python reproduce.py (study.toml lies beside it)", "simulated": "The records of this study are simulated.",
        "table": "The table that the study was made from must be on this machine (mrp data add).",
    },
})
