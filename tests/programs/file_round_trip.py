import csv

import matplotlib.pyplot as plt

with open("data.csv", "w", newline="") as f:
    csv.writer(f).writerows([["x", "y"], [1, 2], [2, 4], [3, 3]])
with open("data.csv") as f:
    rows = list(csv.DictReader(f))
plt.plot([int(r["x"]) for r in rows], [int(r["y"]) for r in rows])
plt.show()
