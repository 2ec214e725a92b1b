import matplotlib.pyplot as plt
from mpl_toolkits.axes_grid1.inset_locator import inset_axes, mark_inset, zoomed_inset_axes

fig, (ax, ax2) = plt.subplots(1, 2, figsize=[7, 3])
inset_axes(ax, width=1.3, height=0.9).tick_params(labelleft=False, labelbottom=False)
inset_axes(ax, width="30%", height="40%", loc=3)
ax2.plot(range(20), [v**2 for v in range(20)])
zoom = zoomed_inset_axes(ax2, 3, loc="upper left")
zoom.plot(range(20), [v**2 for v in range(20)])
zoom.set(xlim=(12, 14), ylim=(140, 200))
mark_inset(ax2, zoom, loc1=2, loc2=4, fc="none", ec="0.5")
plt.show()
