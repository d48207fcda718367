"""Whether a model brings translations together: probe sentences in several languages.

A model that was trained on English puts a translated sentence no nearer to the original than any other
sentence of that language. So before a corpus is searched for translations, the model is shown eight sentences
in six other languages: the original must be the nearest of the eight English ones to nearly every translation,
in every language. The same probes give the scale of the model's cosines, which differ from model to
model (those of multilingual-e5-small all lie above 0.7): how near translations are, and unrelated sentences.
"""

from __future__ import annotations

from typing import Final, NamedTuple

import numpy as np

from indexes.embeddings.encoder import Encoder
from indexes.embeddings.errors import EncoderError

ENGLISH: Final = (
    "The farmer sold half of his apples at the market and gave the rest to his neighbours.",
    "Which planet of the solar system has the largest number of moons?",
    "The parliament rejected the new law because the budget was too small.",
    "She takes the bus to school every morning, but walks home in the evening.",
    "The doctor advised the patient to drink more water and to sleep longer.",
    "A square garden has a fence around it; how long is the fence?",
    "The ship sank in a storm, and only two sailors were saved.",
    "Bees communicate the direction of flowers by dancing.",
)
TRANSLATED: Final = {
    "German": (
        "Der Bauer verkaufte die Hälfte seiner Äpfel auf dem Markt und schenkte den Rest seinen Nachbarn.",
        "Welcher Planet des Sonnensystems hat die meisten Monde?",
        "Das Parlament lehnte das neue Gesetz ab, weil der Haushalt zu klein war.",
        "Sie fährt jeden Morgen mit dem Bus zur Schule, geht aber abends zu Fuß nach Hause.",
        "Der Arzt riet dem Patienten, mehr Wasser zu trinken und länger zu schlafen.",
        "Ein quadratischer Garten ist von einem Zaun umgeben; wie lang ist der Zaun?",
        "Das Schiff sank in einem Sturm, und nur zwei Seeleute wurden gerettet.",
        "Bienen teilen einander durch Tänze mit, in welcher Richtung die Blumen stehen.",
    ),
    "Spanish": (
        "El granjero vendió la mitad de sus manzanas en el mercado y regaló el resto a sus vecinos.",
        "¿Qué planeta del sistema solar tiene el mayor número de lunas?",
        "El parlamento rechazó la nueva ley porque el presupuesto era demasiado pequeño.",
        "Ella va a la escuela en autobús cada mañana, pero vuelve a casa a pie por la tarde.",
        "El médico aconsejó al paciente que bebiera más agua y durmiera más.",
        "Un jardín cuadrado tiene una cerca alrededor; ¿cuánto mide la cerca?",
        "El barco se hundió en una tormenta y solo se salvaron dos marineros.",
        "Las abejas comunican la dirección de las flores mediante danzas.",
    ),
    "Russian": (
        "Фермер продал половину своих яблок на рынке, а остальные отдал соседям.",
        "У какой планеты Солнечной системы больше всего спутников?",
        "Парламент отклонил новый закон, потому что бюджет был слишком мал.",
        "Каждое утро она ездит в школу на автобусе, а вечером идёт домой пешком.",
        "Врач посоветовал пациенту пить больше воды и дольше спать.",
        "Квадратный сад обнесён забором; какова длина забора?",
        "Корабль затонул во время шторма, и спаслись только два моряка.",
        "Пчёлы сообщают друг другу направление к цветам с помощью танца.",
    ),
    "Chinese": (
        "农夫在市场上卖掉了一半苹果，把剩下的送给了邻居。",
        "太阳系中哪颗行星的卫星最多？",
        "议会否决了新法律，因为预算太少。",
        "她每天早上坐公交车上学，晚上却走路回家。",
        "医生建议病人多喝水，多睡觉。",
        "一个正方形的花园四周有围栏，围栏有多长？",
        "船在暴风雨中沉没了，只有两名水手获救。",
        "蜜蜂通过跳舞来告诉同伴花的方向。",
    ),
    "Arabic": (
        "باع المزارع نصف تفاحه في السوق وأعطى الباقي لجيرانه.",
        "أي كوكب في المجموعة الشمسية لديه أكبر عدد من الأقمار؟",
        "رفض البرلمان القانون الجديد لأن الميزانية كانت صغيرة جدا.",
        "تذهب إلى المدرسة بالحافلة كل صباح، لكنها تعود إلى البيت مشيا في المساء.",
        "نصح الطبيب المريض بأن يشرب المزيد من الماء وأن ينام وقتا أطول.",
        "حديقة مربعة الشكل يحيط بها سياج، فما طول السياج؟",
        "غرقت السفينة في عاصفة، ولم ينج سوى بحارين اثنين.",
        "يتواصل النحل فيما بينه عن اتجاه الأزهار بواسطة الرقص.",
    ),
    "Hindi": (
        "किसान ने अपने आधे सेब बाज़ार में बेच दिए और बाकी अपने पड़ोसियों को दे दिए।",
        "सौर मंडल के किस ग्रह के सबसे अधिक चंद्रमा हैं?",
        "संसद ने नए कानून को अस्वीकार कर दिया क्योंकि बजट बहुत कम था।",
        "वह हर सुबह बस से स्कूल जाती है, लेकिन शाम को पैदल घर लौटती है।",
        "डॉक्टर ने मरीज़ को अधिक पानी पीने और अधिक देर तक सोने की सलाह दी।",
        "एक चौकोर बगीचे के चारों ओर बाड़ है; बाड़ कितनी लंबी है?",
        "जहाज़ तूफ़ान में डूब गया और केवल दो नाविक बचाए गए।",
        "मधुमक्खियाँ नृत्य करके फूलों की दिशा बताती हैं।",
    ),
}
LEAST_RIGHT: Final = 0.75  # of the translations of a language: six of eight


class Scale(NamedTuple):
    """The model's cosines between languages: the means of unrelated and of translated sentences."""

    unrelated: float
    translated: float

    def relative(self, cosines: np.ndarray) -> np.ndarray:
        """Return cosines as parts of the way from unrelated sentences (0) to translations (1)."""
        result: np.ndarray = (cosines - self.unrelated) / (self.translated - self.unrelated)
        return result


def translation_scale(encoder: Encoder) -> Scale:
    """Return the scale of a model's cosines between languages.

    Raises:
        EncoderError: the model does not bring translations together, with the languages it fails in.
    """
    english = encoder.encode(ENGLISH).astype(np.float64)
    same, other, failed = [], [], []
    diagonal = np.eye(len(ENGLISH), dtype=np.bool_)
    for language, sentences in TRANSLATED.items():
        cosines = encoder.encode(sentences).astype(np.float64) @ english.T
        if np.mean(cosines.argmax(axis=1) == np.arange(len(ENGLISH))) < LEAST_RIGHT:
            failed.append(language)
        same.append(cosines[diagonal].mean())
        other.append(cosines[~diagonal].mean())
    if failed:
        raise EncoderError(
            f"{encoder.card.name} does not tell translations from unrelated sentences "
            f"({', '.join(failed)} of {len(TRANSLATED)} languages tried)",
            "name a multilingual model with --embedding-model (tools/convert_e5.py makes one), or "
            "leave out --translations",
        )
    return Scale(float(np.mean(other)), float(np.mean(same)))
