import matplotlib.cbook as cbook
import matplotlib.pyplot as plt

google = cbook.get_sample_data("goog.npz")["price_data"]
fig, ax = plt.subplots()
ax.plot("date", "adj_close", data=google)
ax.fill_between(google["date"], google["adj_close"].min(), google["adj_close"], alpha=0.3)
ax.set_title("sample data")
fig.autofmt_xdate()
plt.show()
