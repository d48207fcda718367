"""The phrases that questions are built with: they count as common whatever texts the background is counted over."""

from __future__ import annotations

import numpy as np

from corpora.normal_form import word_hashes
from indexes.seeds import SEED_WORDS, seed_hashes

# Five words or more become seeds by themselves; shorter ones are put behind the letters of choices.
PHRASES = """
which of the following is
which of the following is not
which of the following is true
which of the following is false
which of the following is correct
which of the following is the best
which of the following is most likely
which of the following is an example of
which of the following best describes
which of the following best describes the
which of the following statements is
which of the following statements is true
which of the following statements is false
which of the following statements is correct
which of the following statements are true
which of the following statements about
which one of the following is
which one of the following statements
which of these is the best
what is the value of
what is the sum of the
what is the total number of
what is the main idea of the passage
what is the best title for
what is the most likely cause
what is the answer to this question
what can be inferred from the
according to the passage
according to the passage which of the following
the author of the passage
it can be inferred from the passage that
based on the passage which of the following
choose the best answer
choose the best answer to the question
choose the correct answer from the following
choose the option that best completes
select the best answer
select the correct answer from the options below
answer the following question
answer the following multiple choice question
the following are multiple choice questions with answers
the following is a multiple choice question
the correct answer is
the correct answer is option
the answer is option
therefore the correct answer is
so the answer is
all of the above
none of the above
none of these answers is correct
both a and b are correct
not enough information is given
cannot be determined from the information given
read the following passage and answer the question
fill in the blank
fill in the blank with the correct word
complete the following sentence
true or false
is the following statement true or false
determine whether the following statement is true
how many are there in total
how many more does he have than
how many are there in all
how much does it cost in total
how much money does he have left
how much money does she have left
how many does he have left
how many does she have left
write a function that
write a function that takes a
write a function to find the
write a function to check if
write a function to check whether the given
write a python function to
write a python function that
write a python function to find the
write a program that reads
returns the sum of the
return true if the
return a list of all the
you are given a list of
you are given an array of integers
given a list of integers return
given an array of integers find
given a string s return the
the input consists of a single line
the first line of input contains
each line of the input contains
let s think step by step
let us think step by step
think step by step and then answer
solve the following problem step by step
here is a step by step solution
below is an instruction that describes a task
write a response that appropriately completes the request
you are a helpful assistant
question answer explanation
put your final answer within boxed
下列说法正确的是
下列说法错误的是
下列说法不正确的是
下列叙述正确的是
下列各项中正确的是
下列关于的说法正确的是
下列选项中属于
以下哪一项是正确的
以下说法正确的是
根据上述材料回答下列问题
正确答案是
以上都正确
以上都不对
以上选项都是
请回答下列问题
请选择正确的答案
关于下列说法中正确的是
welche der folgenden aussagen ist richtig
welche der folgenden aussagen ist falsch
keine der genannten antworten ist richtig
laquelle des affirmations suivantes est correcte
lequel des énoncés suivants est vrai
cuál de las siguientes afirmaciones es correcta
cuál de los siguientes es un
ninguna de las respuestas anteriores
какое из следующих утверждений верно
какое из следующих утверждений неверно
выберите правильный ответ из предложенных вариантов
次のうち正しいものはどれか
次の文章を読んで質問に答えなさい
"""
LETTERS = ["a", "b", "c", "d", "e", "1", "2", "3", "4", "5", "answer"]


def scaffolding_seeds() -> np.ndarray:
    """Return the seeds of `PHRASES`, shorter ones behind the letters that choices carry."""
    phrases = PHRASES.split("\n")
    fronts = ["", *(f"{letter} " for letter in LETTERS)]
    seeds = [
        seed_hashes(word_hashes(front + phrase), SEED_WORDS)
        for phrase in phrases
        for front in fronts
        if not front or len(word_hashes(phrase)) < SEED_WORDS
    ]
    return np.unique(np.concatenate(seeds))
