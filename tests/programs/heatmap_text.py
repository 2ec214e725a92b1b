import matplotlib.pyplot as plt
import numpy as np

rows = ["cucumber", "tomato", "lettuce", "asparagus"]
columns = ["Farmer Joe", "Upland Bros.", "Smith Gardening", "Agrifun"]
harvest = np.array([[0.8, 2.4, 2.5, 3.9], [2.4, 0.0, 4.0, 1.0], [1.1, 2.4, 0.8, 4.3], [0.6, 0.0, 0.3, 0.0]])
fig, ax = plt.subplots()
ax.imshow(harvest)
ax.set_xticks(range(4), labels=columns, rotation=45, ha="right", rotation_mode="anchor")
ax.set_yticks(range(4), labels=rows)
for i in range(4):
    for j in range(4):
        ax.text(j, i, harvest[i, j], ha="center", va="center", color="w")
ax.set_title("Harvest (tons/year)")
fig.tight_layout()
plt.show()
