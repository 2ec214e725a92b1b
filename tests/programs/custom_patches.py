import matplotlib.patches as mpatches
import matplotlib.path as mpath
import matplotlib.pyplot as plt

fig, ax = plt.subplots(figsize=(5, 4))
ax.add_patch(mpatches.Circle((0.2, 0.7), 0.1, ec="none", fc="C0"))
ax.add_patch(mpatches.RegularPolygon((0.5, 0.7), 5, radius=0.12, fc="C1"))
ax.add_patch(mpatches.Wedge((0.8, 0.7), 0.1, 30, 270, ec="k"))
ax.add_patch(mpatches.FancyBboxPatch((0.1, 0.3), 0.2, 0.1, boxstyle=mpatches.BoxStyle("Round", pad=0.02)))
ax.add_patch(mpatches.Ellipse((0.5, 0.35), 0.3, 0.12, angle=25, hatch="//", fill=False))
ax.add_patch(mpatches.FancyArrowPatch((0.7, 0.2), (0.95, 0.5), mutation_scale=30, connectionstyle="arc3,rad=.3"))
path = mpath.Path([(0.1, 0.1), (0.4, 0.25), (0.6, -0.05), (0.9, 0.1)], [1, 4, 4, 4])
ax.add_patch(mpatches.PathPatch(path, fc="none", lw=3))
ax.legend(handles=[mpatches.Patch(color="C0", label="circle"), mpatches.Patch(hatch="//", label="ellipse")])
ax.set_aspect("equal")
plt.show()
