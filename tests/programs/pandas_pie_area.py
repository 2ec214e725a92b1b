import matplotlib.pyplot as plt
import pandas as pd

fig, axes = plt.subplots(1, 2, figsize=(8, 3.5))
pd.Series([3, 2, 1], index=["a", "b", "c"], name="share").plot.pie(ax=axes[0], autopct="%.0f%%")
pd.DataFrame({"p": [1, 3, 2], "q": [2, 1, 4]}).plot.area(ax=axes[1], alpha=0.5)
plt.show()
