import matplotlib.pyplot as plt
import matplotlib.ticker as ticker

fig, ax = plt.subplots()
ax.plot([0, 5_000_000, 12_000_000], [0.1, 0.45, 0.8])
ax.xaxis.set_major_formatter(ticker.FuncFormatter(lambda v, _: f"${v / 1e6:.0f}M"))
ax.yaxis.set_major_formatter(ticker.PercentFormatter(xmax=1))
ax.xaxis.set_minor_locator(ticker.AutoMinorLocator())
ax.tick_params(which="minor", length=4, color="r")
plt.show()
