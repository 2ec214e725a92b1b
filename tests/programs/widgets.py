import matplotlib.pyplot as plt
import numpy as np
from matplotlib.widgets import Button, Slider

fig, ax = plt.subplots()
t = np.arange(0.0, 1.0, 0.01)
(line,) = ax.plot(t, 5 * np.sin(6 * np.pi * t))
fig.subplots_adjust(left=0.25, bottom=0.25)
slider = Slider(ax=fig.add_axes([0.25, 0.1, 0.65, 0.03]), label="Frequency", valmin=0.1, valmax=30, valinit=3)
slider.on_changed(lambda value: line.set_ydata(np.sin(value * t)))
button = Button(fig.add_axes([0.8, 0.025, 0.1, 0.04]), "Reset")
plt.show()
