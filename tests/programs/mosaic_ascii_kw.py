import matplotlib.pyplot as plt
import numpy as np

fig, axes = plt.subplot_mosaic("AAB;CCB", width_ratios=[1, 2, 1], per_subplot_kw={"B": {"projection": "polar"}})
axes["A"].plot(np.arange(10) ** 2)
axes["B"].fill(np.linspace(0, 6, 6), [1, 2, 3, 2, 1, 2], alpha=0.4)
axes["C"].imshow(np.arange(12).reshape(3, 4), aspect="auto")
plt.tight_layout()
plt.savefig("out/figures/mosaic.svg")
