import pickle
from dataclasses import dataclass

import matplotlib.pyplot as plt


@dataclass
class Point:
    x: float
    y: float


points = pickle.loads(pickle.dumps([Point(1, 2), Point(2, 1), Point(3, 4)]))
plt.scatter([p.x for p in points], [p.y for p in points])
plt.show()
