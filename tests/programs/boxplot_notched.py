import matplotlib.pyplot as plt
import numpy as np

np.random.seed(10)
data = [np.random.normal(0, s, 100) for s in range(1, 5)]
fig, (left, right) = plt.subplots(1, 2, figsize=(9, 4))
parts = left.boxplot(data, notch=True, patch_artist=True, tick_labels=list("abcd"))
for patch, color in zip(parts["boxes"], ["pink", "lightblue", "lightgreen", "tan"]):
    patch.set_facecolor(color)
right.violinplot(data, showmeans=False, showmedians=True)
for ax in (left, right):
    ax.yaxis.grid(True)
plt.show()
