import numpy as np
import matplotlib.pyplot as plt

labels = ["G1", "G2", "G3", "G4", "G5"]
men = [20, 34, 30, 35, 27]
women = [25, 32, 34, 20, 25]
x = np.arange(len(labels))
width = 0.35
fig, ax = plt.subplots()
first = ax.bar(x - width / 2, men, width, label="Men")
second = ax.bar(x + width / 2, women, width, label="Women")
ax.set_ylabel("Scores")
ax.set_xticks(x, labels)
ax.legend()
ax.bar_label(first, padding=3)
ax.bar_label(second, padding=3)
fig.tight_layout()
plt.show()
