import matplotlib.pyplot as plt
import numpy as np
import pandas as pd

df = pd.DataFrame(np.random.default_rng(0).normal(size=(100, 4)).cumsum(axis=0), columns=list("ABCD"),
                  index=pd.period_range("2000-01", periods=100, freq="M"))
df.plot(subplots=True, layout=(2, 2), figsize=(8, 5), sharex=True)
plt.show()
