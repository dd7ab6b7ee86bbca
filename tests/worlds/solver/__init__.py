"""Answers the questions of the twenty tasks from nothing but their text, with the supporting statements.

It knows neither the simulator nor the number of the task: the wording of a question says what is asked. It gives its
readings of a question, the likeliest first. There is a single one but for two kinds of questions:

- "What did Fred give to Bill?" after two different gifts. The latest one is the likeliest reading, but official and
  simulated data mean an earlier one in 2 of 1000 questions of task 5.
- "Is the chest bigger than the chocolate?" when several things are known to lie between the two. The answer is the
  same for all, the supporting statements are not, and nothing in the text tells which ones the author had in mind.
"""

from tests.worlds.solver.reading import Reading
from tests.worlds.solver.solving import solve

__all__ = ["Reading", "solve"]
