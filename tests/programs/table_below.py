import matplotlib.pyplot as plt
import numpy as np

data = [[66386, 174296, 75131], [58230, 381139, 78045], [89135, 80552, 152558]]
fig, ax = plt.subplots()
bottom = np.zeros(3)
for row, color in zip(data, plt.cm.BuPu(np.linspace(0, 0.5, 3))):
    ax.bar(np.arange(3) + 0.3, row, 0.4, bottom=bottom, color=color)
    bottom += row
ax.table(cellText=[[f"{v / 1000:.1f}" for v in row] for row in data], rowLabels=["5 year", "10 year", "20 year"],
         colLabels=("Freeze", "Wind", "Flood"), loc="bottom")
plt.subplots_adjust(left=0.2, bottom=0.2)
plt.xticks([])
plt.title("Loss by disaster")
plt.show()
