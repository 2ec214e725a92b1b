import matplotlib.pyplot as plt
import numpy as np

x = np.logspace(0, 4, 50)
fig, axs = plt.subplots(1, 3, figsize=(10, 3))
axs[0].loglog(x, x**2)
axs[1].semilogx(x, np.sin(np.log(x)))
axs[2].set_yscale("symlog", linthresh=0.1)
axs[2].plot(np.linspace(-5, 5, 50), np.linspace(-5, 5, 50) ** 3)
for ax in axs:
    ax.grid(True, which="both", ls=":")
fig.tight_layout()
plt.show()
