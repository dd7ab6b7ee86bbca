"""Every word that a story can contain: names, rooms, things, and the sentences made of them.

Sentences are format strings without their full stop; where several say the same, each is as likely as the others.
The words are those of the released English files (version 1.2), which differ from the ones printed in Weston et al.
(2015) in places: "went back to" says nothing about an earlier visit, and " there" may follow "got" or "dropped".
STRANGERS, ELSEWHERE and OTHER_THINGS are not theirs: they stand in for names, rooms and things in shifted test stories.
"""

from __future__ import annotations

MARY_AND_FRIENDS = ("John", "Mary", "Sandra", "Daniel")
FRED_AND_FRIENDS = ("Bill", "Fred", "Julie", "Mary")
GIVERS = ("Mary", "Fred", "Bill", "Jeff")
FEARFUL_PEOPLE = ("Gertrude", "Winona", "Jessica", "Emily")
COLOURED_PEOPLE = ("Lily", "Bernhard", "Greg", "Brian", "Julius")
NEEDY_PEOPLE = ("Sumit", "Yann", "Jason", "Antoine")
STRANGERS = ("Peter", "Alice", "Laura", "Kevin", "Oscar")
PRONOUNS = {
    **dict.fromkeys(("John", "Daniel", "Peter", "Kevin"), "he"),
    **dict.fromkeys(("Mary", "Sandra", "Alice", "Laura"), "she"),
}
PRONOUN_OF_MANY = "they"

HOME = ("bedroom", "kitchen", "bathroom", "hallway", "garden", "office")
TOWN = ("bedroom", "kitchen", "office", "park", "school", "cinema")
ELSEWHERE = ("attic", "cellar", "porch", "garage", "library", "terrace")
THINGS = ("apple", "football", "milk")
OTHER_THINGS = ("lamp", "book", "cup")
SHAPES = ("red square", "blue square", "yellow square", "pink rectangle", "red sphere", "triangle")
CHOCOLATE, BOX_OF_CHOCOLATES = "chocolate", "box of chocolates"
CONTAINERS = ("box", "chest", "container", "suitcase")
PLURALS = {"mouse": "mice", "sheep": "sheep", "wolf": "wolves", "cat": "cats"}
COLOURED_ANIMALS = ("swan", "lion", "frog", "rhino")
COLOURS = ("green", "white", "gray", "yellow")
COMPASS = {"north": "south", "south": "north", "east": "west", "west": "east"}
RELATIONS = {
    "above": "below",
    "below": "above",
    "to the left of": "to the right of",
    "to the right of": "to the left of",
}
TIMES = ("yesterday", "this morning", "this afternoon", "this evening")
NEEDS = {
    "hungry": ("kitchen", "apple"),
    "thirsty": ("kitchen", "milk"),
    "bored": ("garden", "football"),
    "tired": ("bedroom", "pajamas"),
}
NUMBERS = ("none", "one", "two", "three")
NOTHING = "nothing"

MOVE = (
    "{who} went to the {place}",
    "{who} journeyed to the {place}",
    "{who} travelled to the {place}",
    "{who} moved to the {place}",
    "{who} went back to the {place}",
)
GET = ("{who} took the {thing}", "{who} got the {thing}", "{who} grabbed the {thing}", "{who} picked up the {thing}")
DROP = (
    "{who} dropped the {thing}",
    "{who} left the {thing}",
    "{who} discarded the {thing}",
    "{who} put down the {thing}",
)
GIVE = ("{who} gave the {thing} to {whom}", "{who} handed the {thing} to {whom}", "{who} passed the {thing} to {whom}")
THERE = " there"
TOGETHER = "{who} and {whom}"
NEXT = ("Afterwards {who}", "After that {who}", "Following that {who}", "Then {who}")

IS_IN = ("{who} is in the {place}",)
IS_NOT_IN = ("{who} is no longer in the {place}", "{who} is not in the {place}")
IS_EITHER_IN = ("{who} is either in the {place} or the {other}",)

LIES = "The {what} is {side} of the {where}"
STANDS = "The {what} is {side} the {where}"
FITS_INSIDE = "The {small} fits inside the {large}"
IS_BIGGER = "The {large} is bigger than the {small}"
IS_A = "{who} is a {animal}"
ARE_AFRAID_OF = "{animals} are afraid of {feared}"
IS = "{who} is {state}"

WHERE_IS_PERSON = "Where is {who}?"
WHERE_IS_THING = "Where is the {thing}?"
WHERE_WAS_THING = "Where was the {thing} before the {place}?"
WHERE_WAS_PERSON = "Where was {who} before the {place}?"
IS_PERSON_IN = "Is {who} in the {place}?"
WHAT_GAVE = ("What did {who} give to {whom}?",)
WHO_GAVE = ("Who gave the {thing}?", "Who gave the {thing} to {whom}?")
WHO_RECEIVED = ("Who received the {thing}?", "Who did {who} give the {thing} to?")
HOW_MANY = "How many objects is {who} carrying?"
WHAT_CARRIES = "What is {who} carrying?"
WHAT_LIES = "What is {side} of the {where}?"
WHAT_LIES_BEYOND = "What is the {where} {opposite} of?"
WHAT_FEARS = "What is {who} afraid of?"
WHAT_COLOUR = "What color is {who}?"
DOES_STAND = "Is the {what} {side} the {where}?"
IS_BIGGER_THAN = "Is the {what} bigger than the {than}?"
DOES_FIT = "Does the {than} fit in the {what}?"
WHICH_WAY = "How do you go from the {start} to the {end}?"
WHERE_WILL = "Where will {who} go?"
WHY_GO = "Why did {who} go to the {place}?"
WHY_GET = "Why did {who} get the {thing}?"
