import matplotlib.pyplot as plt

fig, ax = plt.subplots(figsize=(5, 2))
ax.axis("off")
table = ax.table(cellText=[["Alice", 24], ["Bob", 31]], colLabels=["Name", "Age"], loc="center", cellLoc="center")
table.auto_set_font_size(False)
table.set_fontsize(12)
table.scale(1, 1.6)
table[(0, 0)].set_facecolor("#40466e")
plt.savefig("table.png", bbox_inches="tight", pad_inches=0.05)
