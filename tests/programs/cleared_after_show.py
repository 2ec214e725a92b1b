import matplotlib.pyplot as plt

plt.plot([5, 1, 3])
plt.show()
plt.clf()
