import matplotlib.pyplot as plt
import numpy as np

rng = np.random.default_rng(19680801)
people = ("Tom", "Dick", "Harry", "Slim", "Jim")
position = np.arange(len(people))
fig, ax = plt.subplots()
ax.barh(position, 3 + 10 * rng.random(5), xerr=rng.random(5), align="center", capsize=4)
ax.set_yticks(position, labels=people)
ax.invert_yaxis()
ax.set_xlabel("Performance")
plt.show()
