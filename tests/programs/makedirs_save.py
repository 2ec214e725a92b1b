import os

import matplotlib.pyplot as plt

os.makedirs("output/plots", exist_ok=True)
plt.bar(["a", "b", "c"], [1, 2, 3])
plt.savefig(os.path.join("output", "plots", "bar.png"))
print("saved to", os.path.abspath("output/plots/bar.png"))
