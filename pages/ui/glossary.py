"""Every term that the app uses, in plain words; any page can link to one or put it into a tooltip."""

from __future__ import annotations

from dataclasses import dataclass

from mrp_core.wording import Said

ALL = "all"
"""What ``?term=`` is where no term is asked for."""


@dataclass(frozen=True)
class Term:
    """One term.

    Attributes:
        name: As on screen.
        text: One or two plain sentences.
        formula: LaTeX, or "".
        paper: Where it comes from, or "".
        also: Other words under which it is looked for.
    """

    name: Said = Said()
    text: Said = Said()
    formula: str = ""
    paper: str = ""
    also: str = ""


_DP = "Dwork & Roth 2014, The algorithmic foundations of differential privacy"
_COVER = "Cover & Thomas 2006, Elements of information theory"
_LIRA = "Carlini et al. 2022, Membership inference attacks from first principles"
_MAML = "Finn et al. 2017, Model-agnostic meta-learning"

_TERMS: dict[str, Term] = {
    "accuracy": Term("Accuracy", "How often the released answer is right on records that the adaptation never saw. Where a label "
        "is drawn from the model's probabilities, it is the probability of the true label.",
        r"\mathbb{E}\left[p(y\mid x)\right]", also="expected accuracy utility"),
    "adaptation": Term("Adaptation", "Fitting the strategy to one new task by a few gradient steps on that task's support records.", r"\theta'=g_\phi(\theta, D;\lambda)", _MAML, "fine-tuning adapt"),
    "advantage": Term("Advantage", "The largest difference between the share of members found and the share of non-members accused, over all thresholds: 0 for guessing, 1 for a perfect attack.",
        r"\max_t\ \mathrm{TPR}(t)-\mathrm{FPR}(t)", "Yeom et al. 2018, Privacy risk in machine learning"),
    "attainment": Term("Attainment", "What the frontier reaches with luck and without: over repeated trainings with other seeds, the accuracy that a given share of them attains at each leakage.",
        paper="Grunert da Fonseca et al. 2001, Inferential performance assessment of stochastic optimisers", also="band seeds"),
    "attribute-inference": Term("Attribute inference", "An attack that guesses something about a person that was no input, such as sex, from what the model answers.",
        r"I(A;\hat Y)", also="sensitive attribute"),
    "auc": Term("AUC", "Shown one member and one non-member, how often the attacker's score picks the right one: 0.5 is guessing, 1 is always.",
        r"\Pr\left[s_\text{in}>s_\text{out}\right]+\tfrac12\Pr\left[s_\text{in}=s_\text{out}\right]", "Fawcett 2006, An introduction to ROC analysis", "area under the curve"),
    "calibration": Term("Noise calibration", "Finding the least noise whose guarantee is the ε that was asked for, with an accountant.",
        paper="Balle & Wang 2018, Improving the Gaussian mechanism", also="accountant accounting PLD RDP"),
    "channel": Term("Channel", "What a query to the model returns: one sampled label, the top label, noisy scores or rounded scores. Utility, leakage and attack are all measured on the same one.",
        also="released output"),
    "chance": Term("Chance line", "What guessing achieves: 1 in C for C balanced classes, an AUC of 0.5 for an attack.", also="guessing baseline"),
    "clipping-norm": Term("Clipping norm", "The longest that one record's gradient may be; longer ones are shortened to it, so that no single record can move the model further.",
        r"g\ \min\left(1,\ \tfrac{c}{\lVert g\rVert}\right)", "Abadi et al. 2016, Deep learning with differential privacy", "clip"),
    "confidence": Term("Confidence", "The largest probability that the model gives to any label, averaged over records. It can fall while the most likely label stays the same.",
        r"\mathbb{E}\left[\max_y p(y\mid x)\right]", also="top probability"),
    "delta": Term("δ (delta)", "The small probability with which the guarantee of ε may fail. It should be well below one over the number of protected records.",
        r"P(S)\le e^{\varepsilon}Q(S)+\delta", _DP, "delta"),
    "differential-privacy": Term("Differential privacy",
        "A promise about a procedure: whatever it releases would have been nearly as likely without any one record. It holds against every attack, known or not.",
        r"P(S)\le e^{\varepsilon}Q(S)+\delta", _DP, "DP"),
    "epsilon": Term("ε (epsilon)", "How much more likely one record can make any outcome: at most e^ε times. Smaller is more private; 0 tells nothing at all.",
        r"\frac{P(S)}{Q(S)}\le e^{\varepsilon}", _DP, "epsilon privacy budget guarantee"),
    "epsilon-lower-bound": Term("Lower bound on ε", "What an attack has shown ε to be at least. A low one is no evidence of privacy: a better attack, or more trials, may show more.",
        r"\varepsilon\ \ge\ \ln\frac{\mathrm{TPR}_\text{low}-\delta}{\mathrm{FPR}_\text{high}}",
        "Jagielski et al. 2020, Auditing differentially private machine learning",
        "empirical epsilon audit"),
    "f1": Term("Macro-F1", "The harmonic mean of precision and recall of each class, averaged over classes, so that rare classes count as much as common ones.",
        r"\frac{2\,\mathrm{precision}\cdot\mathrm{recall}}{\mathrm{precision}+\mathrm{recall}}"),
    "fano": Term("Fano limit", "The least that an answer must tell about the record to be so accurate. No method passes this line: the region beyond it is impossible.",
        r"I\ \ge\ \log C-h(e)-e\log(C-1)", f"{_COVER}, theorem 2.10.1", "limit impossible"),
    "frontier": Term("Frontier", "The settings that nothing beats: whoever wants more accuracy than one of them offers must accept more leakage.", also="pareto non-dominated trade-off"),
    "head": Term("Head", "The last layer of the network. Adapting it alone, on features that stay as they are, moves fewer numbers and so gives less away.",
        paper="Raghu et al. 2020, Rapid learning or feature reuse? (ANIL)"),
    "hypervolume": Term("Hypervolume", "The area between a frontier and a fixed reference point: one number for the whole frontier, and more is better.",
        paper="Zitzler & Thiele 1998, Multiobjective optimization using evolutionary algorithms"),
    "inner-loop": Term("Inner loop", "The few gradient steps that adapt the strategy to one task, on its support records.",
        r"\theta_{k+1}=\theta_k-\alpha\,\nabla_\theta L_\text{support}(\theta_k)", _MAML),
    "infonce": Term("InfoNCE", "A lower bound on mutual information: how well the true partner of a record is picked among n candidates. It can never read more than log n.",
        r"I\ \ge\ \log n-L_\text{pick}",
        "van den Oord et al. 2018, Representation learning with contrastive predictive coding", "estimator lower bound"),
    "ksg": Term("Nearest neighbours (KSG)", "An estimator of mutual information that counts near neighbours. Good in one or two dimensions, far too low in many.",
        paper="Kraskov et al. 2004, Estimating mutual information", also="estimator"),
    "lambda": Term("λ (lambda)", "The weight of the privacy loss beside the task's own loss. λ = 0 is the unprotected model; a larger λ buys less leakage with accuracy.",
        r"L=L_\text{task}+\lambda\,L_\text{privacy}", also="lambda privacy weight"),
    "likelihood-ratio": Term("Likelihood ratio", "How much more likely an observation is if one thing holds than if another does. The most telling test there is between two known cases.",
        r"\Lambda=\frac{p(z\mid\text{in})}{p(z\mid\text{out})}", "Neyman & Pearson 1933"),
    "lira": Term("LiRA", "The likelihood-ratio attack: it trains shadow models with and without a record, and asks to which of the two kinds the model at hand looks more alike.",
        r"\Lambda=\frac{\mathcal N(\varphi;\mu_\text{in},\sigma_\text{in}^2)}{\mathcal N(\varphi;\mu_\text{out},\sigma_\text{out}^2)}", _LIRA, "likelihood ratio attack"),
    "loss-threshold": Term("Loss-threshold attack",
        "The simplest attack: a record on which the loss is low is taken for a member. It needs no shadow models, and misses most of what a better attack finds.",
        paper="Yeom et al. 2018, Privacy risk in machine learning"),
    "member": Term("Member", "A record that the model was adapted on, that is, one of the support set. A non-member is another record of the same kind.", also="non-member"),
    "membership-bits": Term("Membership leakage", "How many bits an attack's decision tells about whether a record was a member; at most one.", r"I(M;\text{decision})", also="bits"),
    "membership-inference": Term("Membership inference",
        "The attack that asks of one record: was it in the data? To know that may already be harm, such as when all the data come from patients of one clinic.",
        paper="Shokri et al. 2017, Membership inference attacks against machine learning models", also="MIA attack"),
    "meta-learning": Term("Meta-learning", "Learning how to adapt: from many tasks, a start and step sizes from which a few steps on a new task go far.",
        r"\min_\phi\ \mathbb{E}_D\left[L\left(g_\phi(\theta,D)\right)\right]", _MAML, "MAML strategy"),
    "mutual-information": Term("Mutual information", "How many bits knowing one thing tells about another, on average: 0 where they are independent.",
        r"I(X;Z)=\mathbb{E}\left[\log\frac{p(x,z)}{p(x)\,p(z)}\right]", _COVER, "MI bits nats"),
    "output-mi": Term("I(X;Ŷ)", "How much one answer of the model tells about the record that was asked about. It speaks of the queried record, not of the training data.",
        r"I(X;\hat Y)=H\left(\mathbb{E}_x\,p(\cdot\mid x)\right)-\mathbb{E}_x\,H\left(p(\cdot\mid x)\right)", f"{_COVER}, chapter 2", "output mi answer information I(X;Y)"),
    "mi-excess": Term("I(X;Ŷ|Y)", "What an answer tells about the record beyond its label: leakage that the task has no use for.", r"I(X;\hat Y\mid Y)=I(X;\hat Y)-I(Y;\hat Y)", also="excess"),
    "noise-multiplier": Term("Noise multiplier", "The standard deviation of the noise in units of the clipping norm. More of it means a smaller ε.",
        r"\sigma:\quad g\mapsto g+\mathcal N(0,\sigma^2c^2)", "Abadi et al. 2016, Deep learning with differential privacy", "sigma gaussian noise"),
    "non-dominated": Term("Non-dominated", "A setting is dominated if another one is at least as good both ways and better in one; what remains is the frontier.", also="pareto dominated"),
    "outer-loop": Term("Outer loop", "Meta-training: it improves the start and the step sizes over many tasks, judged by how well each adapted model answers on query records.", paper=_MAML),
    "paired-interval": Term("Paired interval",
        "The 95 % interval of a difference taken task by task and seed by seed. Whether it holds 0 decides if a difference is real; two overlapping intervals decide nothing.",
        also="difference confidence"),
    "rate-distortion": Term("Rate-distortion release",
        "Redrawing a finished model's answers so that they tell the least at their accuracy. It needs no training, and so stands beside everything that was trained.",
        r"q(\hat y\mid x)\ \propto\ r(\hat y)\,e^{\beta\,p(\hat y\mid x)}", "Blahut 1972; Arimoto 1972", "Blahut-Arimoto"),
    "rmia": Term("RMIA", "An attack that asks whether the record is more likely under the model, against models in general, "
        "than other records of the same kind are. It does well with few shadow models.",
        r"\frac{p(x\mid\theta)/p(x)}{p(z\mid\theta)/p(z)}\ \ge\ \gamma", "Zarifzadeh et al. 2024, Low-cost high-power membership inference attacks"),
    "randomised-response": Term("Randomised response", "Answer truly with a known probability, otherwise lie: each answer is deniable, and the average can still be computed.",
        r"\Pr[\text{truth}]=\frac{e^\varepsilon}{1+e^\varepsilon}", "Warner 1965, Randomized response"),
    "roc": Term("ROC", "The curve of members found against non-members accused, as the attacker's threshold moves. Logarithmic axes show the few accusations that are nearly sure.",
        paper=_LIRA, also="curve"),
    "sampled-label": Term("Sampled label", "The channel that releases one label drawn from the model's probabilities, so that an unsure model's answers vary.",
        r"\hat y\sim p(\cdot\mid x)", also="channel"),
    "seed": Term("Seed", "The number that all chance of a run follows from. Several seeds show what is luck.", also="random"),
    "sensitivity": Term("Sensitivity", "How far one record can move what is computed. Noise gives a guarantee only where this is bounded, as by clipping.",
        r"\Delta=\max_{D\sim D'}\lVert f(D)-f(D')\rVert", _DP),
    "shadow": Term("Shadow", "A model that the attacker makes in the same way, on records of which it is known who was in, to learn what membership looks like.",
        paper="Shokri et al. 2017, Membership inference attacks against machine learning models", also="shadow model"),
    "shots-ways": Term("Shots and ways", "A task with W ways and S shots has W classes with S support records each.", paper="Vinyals et al. 2016, Matching networks", also="few-shot"),
    "strategy": Term("Strategy", "What meta-training yields and what is taken to a new task: start weights, step sizes, and how they follow λ and ε.", r"g_\phi", also="meta-model"),
    "support-query": Term("Support and query", "A task's support records are adapted on, and so are members; its query records only judge the result.",
        paper="Vinyals et al. 2016, Matching networks", also="support set query set"),
    "task": Term("Task", "One small problem of a family: a ward, a person, five letters. Tasks that judge a strategy are never among those that trained it.", also="family held-out"),
    "temperature": Term("Temperature", "A number that the logits are divided by before release. It lowers confidence and I(X;Ŷ), and leaves the order of the labels as it is.",
        r"\mathrm{softmax}(z/T)", "Guo et al. 2017, On calibration of modern neural networks"),
    "tpr-at-fpr": Term("TPR at 1 % FPR", "Of all members, the share that the attack finds while it accuses one non-member in a hundred. Guessing finds 1 %.",
        r"\mathrm{TPR}\ \text{where}\ \mathrm{FPR}\le 0.01", _LIRA, "true positive rate false positive rate"),
}
TERMS: dict[str, Term] = dict(sorted(_TERMS.items(), key=lambda item: item[1].name.casefold().lstrip("εδλ (")))


def search(query: str) -> list[str]:
    """Keys of the terms that hold every word of a query, those named so first; all terms for an empty one."""
    wanted = query.casefold().split()
    found = [key for key, t in TERMS.items() if all(word in f"{key} {t.name} {t.also} {t.text} {t.paper}".casefold() for word in wanted)]
    return sorted(found, key=lambda key: not all(word in f"{key} {TERMS[key].name} {TERMS[key].also}".casefold() for word in wanted))


def line(key: str) -> str:
    """A term with its meaning, in one line of markdown."""
    return f"**{TERMS[key].name}**: {TERMS[key].text}"


def entry(key: str, *, heading: bool = True) -> str:
    """A whole entry as markdown: meaning, formula, paper."""
    term = TERMS[key]
    parts = (line(key) if heading else term.text, f"$\\displaystyle {term.formula}$" if term.formula else "", f":small[:gray[{term.paper}]]" if term.paper else "")
    return "\n\n".join(part for part in parts if part)


def address(key: str) -> str:
    """Where the glossary opens at a term, seen from any page."""
    return f"learn?term={key}"


def tip(key: str) -> str:
    """A tooltip for a widget's ``help``: the meaning, and the way to the entry."""
    return f"{line(key)} [More]({address(key)})"
