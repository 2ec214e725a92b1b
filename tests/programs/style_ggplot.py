import matplotlib.pyplot as plt
import numpy as np

plt.style.use("ggplot")
np.random.seed(19680801)
fig, axs = plt.subplots(ncols=2, nrows=2)
axs[0, 0].plot(np.random.normal(size=(200, 2))[:, 0], "o")
axs[0, 1].plot(np.sin(np.linspace(0, 7, 50)))
axs[1, 0].bar(np.arange(5), np.random.randint(1, 25, 5))
axs[1, 1].add_patch(plt.Circle((0, 0), 0.3, color="C2"))
axs[1, 1].axis("equal")
plt.show()
