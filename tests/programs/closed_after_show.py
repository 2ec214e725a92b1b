import matplotlib.pyplot as plt

fig, ax = plt.subplots()
ax.plot([5, 1, 3])
plt.show()
plt.close(fig)
