import matplotlib.animation as animation
import matplotlib.pyplot as plt
import numpy as np

fig, ax = plt.subplots()
x, y = np.linspace(0, 2 * np.pi, 120), np.linspace(0, 2 * np.pi, 100).reshape(-1, 1)
frames = []
for i in range(5):
    x += np.pi / 15
    y += np.pi / 30
    frames.append([ax.imshow(np.sin(x) + np.cos(y), animated=True)])
ani = animation.ArtistAnimation(fig, frames, interval=50, blit=True, repeat_delay=1000)
plt.show()
