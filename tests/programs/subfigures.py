import matplotlib.pyplot as plt
import numpy as np

fig = plt.figure(layout="constrained", figsize=(10, 4))
left, right = fig.subfigures(1, 2, wspace=0.07, width_ratios=[1.5, 1.0])
axes = left.subplots(1, 2, sharey=True)
left.set_facecolor("0.9")
for ax in axes:
    mesh = ax.pcolormesh(np.random.RandomState(0).randn(30, 30), vmin=-2.5, vmax=2.5)
left.suptitle("Left", fontsize="x-large")
left.colorbar(mesh, shrink=0.6, ax=axes, location="bottom")
right.subplots(3, 1, sharex=True)[1].plot([1, 3, 2])
fig.suptitle("Figure suptitle")
plt.show()
