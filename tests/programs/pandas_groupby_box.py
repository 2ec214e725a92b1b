import matplotlib.pyplot as plt
import numpy as np
import pandas as pd

rng = np.random.RandomState(5)
df = pd.DataFrame({"value": rng.rand(60), "kind": rng.choice(list("xyz"), 60)})
df.boxplot(column="value", by="kind")
plt.suptitle("")
plt.show()
