import matplotlib.pyplot as plt
import pandas as pd

tasks = pd.DataFrame({"task": ["Design", "Build", "Test"], "start": pd.to_datetime(["2024-01-01", "2024-01-10", "2024-01-20"]),
                      "days": [9, 12, 8]})
fig, ax = plt.subplots(figsize=(7, 2.5))
ax.barh(tasks["task"], tasks["days"], left=tasks["start"], color=["C0", "C1", "C2"])
ax.invert_yaxis()
ax.xaxis_date()
fig.autofmt_xdate(rotation=30)
plt.show()
