import matplotlib.pyplot as plt
import numpy as np
import pandas as pd

np.random.seed(123456)
series = pd.Series(np.random.randn(200), index=pd.date_range("2023-01-01", periods=200)).cumsum()
series.plot(figsize=(7, 3), title="Random walk")
plt.show()
