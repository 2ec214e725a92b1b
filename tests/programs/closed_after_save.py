import matplotlib.pyplot as plt

plt.plot([1, 4, 9], label="squares")
plt.legend()
plt.savefig("plot.png", facecolor="lightyellow")
plt.clf()
plt.close("all")
