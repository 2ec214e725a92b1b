import matplotlib.pyplot as plt
import numpy as np

rng = np.random.RandomState(3)
fig, axes = plt.subplots(2, 3, figsize=(12, 7))
x = np.linspace(0, 10, 100)
axes[0, 0].plot(x, np.sin(x))
axes[0, 1].scatter(rng.rand(30), rng.rand(30))
axes[0, 2].bar(range(5), [3, 5, 2, 7, 4])
axes[1, 0].hist(rng.randn(300), bins=20)
axes[1, 1].imshow(rng.rand(10, 10), cmap="magma")
axes[1, 2].pie([1, 2, 3], labels=["x", "y", "z"])
for i, ax in enumerate(axes.flat):
    ax.set_title(f"Panel {i + 1}")
plt.suptitle("Overview")
plt.tight_layout(rect=[0, 0, 1, 0.96])
plt.savefig("panels.png", dpi=120)
