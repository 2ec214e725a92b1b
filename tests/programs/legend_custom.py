import matplotlib.pyplot as plt
from matplotlib.legend_handler import HandlerTuple
from matplotlib.lines import Line2D

fig, ax = plt.subplots()
(a,) = ax.plot([1, 2, 3], "ro")
(b,) = ax.plot([3, 2, 1], "gs")
first = ax.legend([(a, b)], ["both"], handler_map={tuple: HandlerTuple(ndivide=None)}, loc="upper center")
ax.add_artist(first)
ax.legend(handles=[Line2D([0], [0], color="b", lw=4, label="Line")], loc="lower center", frameon=False)
fig.legend(handles=[a, b], labels=["a", "b"], loc="outside right upper")
plt.show()
