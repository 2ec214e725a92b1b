import datetime as dt

import matplotlib.dates as mdates
import matplotlib.pyplot as plt
import numpy as np

days = [dt.date(2024, 1, 1) + dt.timedelta(days=7 * i) for i in range(40)]
values = np.cumsum(np.sin(np.arange(40)))
fig, ax = plt.subplots(figsize=(8, 3))
ax.plot(days, values)
ax.xaxis.set_major_locator(mdates.MonthLocator(interval=2))
ax.xaxis.set_major_formatter(mdates.DateFormatter("%b %Y"))
fig.autofmt_xdate()
plt.show()
