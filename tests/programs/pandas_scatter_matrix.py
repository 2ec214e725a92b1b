import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from pandas.plotting import scatter_matrix

df = pd.DataFrame(np.random.RandomState(2).randn(80, 3), columns=["a", "b", "c"])
scatter_matrix(df, alpha=0.4, figsize=(5, 5), diagonal="hist")
plt.show()
