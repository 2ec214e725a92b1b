import matplotlib.pyplot as plt
import numpy as np

with plt.style.context("dark_background"):
    fig, ax = plt.subplots()
    for shift in range(5):
        ax.plot(np.sin(np.linspace(0, 6, 80) + shift / 2), label=f"{shift}")
    ax.legend(ncol=5, loc="lower center")
    plt.show()
