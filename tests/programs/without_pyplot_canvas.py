from matplotlib.backends.backend_agg import FigureCanvasAgg as FigureCanvas
from matplotlib.figure import Figure

fig = Figure()
canvas = FigureCanvas(fig)
fig.add_subplot().hist([1, 2, 2, 3, 3, 3])
canvas.print_figure("hist.png")
