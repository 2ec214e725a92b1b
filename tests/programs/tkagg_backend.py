import matplotlib
matplotlib.use("TkAgg")
import matplotlib.pyplot as plt

plt.ion()
plt.plot([1, 3, 2])
plt.draw()
plt.pause(0.5)
plt.ioff()
plt.show(block=True)
