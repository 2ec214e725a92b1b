import matplotlib.pyplot as plt
import numpy as np

species = ("Adelie", "Chinstrap", "Gentoo")
counts = {"Below": np.array([70, 31, 58]), "Above": np.array([82, 37, 66])}
fig, ax = plt.subplots()
bottom = np.zeros(3)
for name, count in counts.items():
    ax.bar(species, count, 0.5, label=name, bottom=bottom)
    bottom += count
ax.set_title("Penguins by body mass")
ax.legend(loc="upper right")
plt.savefig("stacked.png", dpi=150, bbox_inches="tight")
