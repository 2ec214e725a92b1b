import matplotlib.pyplot as plt

fig, axd = plt.subplot_mosaic([["left", "upper right"], ["left", "lower right"]], figsize=(6, 4), layout="constrained")
for name, ax in axd.items():
    ax.text(0.5, 0.5, name, ha="center", va="center", fontsize=14)
axd["left"].plot([1, 2, 3])
axd["lower right"].bar(["a", "b"], [2, 3])
fig.suptitle("plt.subplot_mosaic")
plt.show()
