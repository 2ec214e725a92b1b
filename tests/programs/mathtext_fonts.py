import matplotlib.pyplot as plt

plt.rcParams["mathtext.fontset"] = "cm"
plt.rcParams.update({"font.family": "serif", "axes.labelsize": 14})
fig, ax = plt.subplots()
ax.set_xlabel(r"$\Delta_i^j$")
ax.set_ylabel(r"$\Delta_{i+1}^j$")
ax.set_title(r"$\Delta_i^j \hspace{0.4} \mathrm{versus} \hspace{0.4} \Delta_{i+1}^j$")
ax.plot([0, 1], [0, 1])
plt.show()
