import matplotlib.pyplot as plt
from matplotlib.animation import FuncAnimation, PillowWriter

fig, ax = plt.subplots(figsize=(4, 3))
dots = ax.scatter([], [])
ax.set(xlim=(0, 10), ylim=(0, 10), title="Growing")


def update(frame):
    dots.set_offsets([[i, i] for i in range(frame + 3)])
    return [dots]


animation = FuncAnimation(fig, update, frames=8, interval=100)
animation.save("growing.gif", writer=PillowWriter(fps=10))
