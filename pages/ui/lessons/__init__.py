"""The lessons, one file each; :func:`pages.ui.lesson.lessons` finds them."""
