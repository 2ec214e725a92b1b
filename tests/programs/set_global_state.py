import matplotlib as mpl
import matplotlib.pyplot as plt

mpl.rcParams["figure.figsize"] = (3, 2)
mpl.rcParams["savefig.dpi"] = 200
mpl.rcParams["savefig.bbox"] = "tight"
mpl.rcParams["axes.facecolor"] = "0.95"
plt.plot([1, 2, 1])
plt.savefig("x")
