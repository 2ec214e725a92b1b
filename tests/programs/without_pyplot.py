import numpy as np
from matplotlib.figure import Figure

fig = Figure(figsize=(4, 3))
ax = fig.subplots()
ax.plot(np.arange(5))
