import matplotlib.pyplot as plt
import numpy as np

categories = ["Speed", "Power", "Range", "Comfort", "Price"]
values = [4, 3, 5, 2, 4]
angles = np.linspace(0, 2 * np.pi, len(categories), endpoint=False).tolist()
values += values[:1]
angles += angles[:1]
fig, ax = plt.subplots(figsize=(5, 5), subplot_kw=dict(polar=True))
ax.plot(angles, values, color="crimson", linewidth=2)
ax.fill(angles, values, color="crimson", alpha=0.25)
ax.set_xticks(angles[:-1])
ax.set_xticklabels(categories)
ax.set_yticklabels([])
plt.title("Model A", y=1.08)
plt.savefig("/tmp/radar.png")
