import matplotlib.pyplot as plt
import numpy as np

fig, (a, b) = plt.subplots(2, 1, figsize=(6, 5))
a.eventplot(np.random.RandomState(0).gamma(4, size=[6, 30]), colors=[f"C{i}" for i in range(6)])
b.broken_barh([(110, 30), (150, 10)], (10, 9), facecolors="tab:blue")
b.broken_barh([(10, 50), (100, 20), (130, 10)], (20, 9), facecolors=("tab:orange", "tab:green", "tab:red"))
b.set_yticks([15, 25], labels=["Bill", "Jim"])
plt.show()
