import matplotlib.pyplot as plt
import pandas as pd

df = pd.DataFrame({"speed": [0.1, 17.5, 40, 48, 52], "lifespan": [2, 8, 70, 1.5, 25]},
                  index=["snail", "pig", "elephant", "rabbit", "giraffe"])
ax = df.plot.bar(rot=0, color={"speed": "green", "lifespan": "red"}, subplots=False)
ax.set_ylabel("value")
plt.tight_layout()
plt.savefig("animals.jpg", dpi=80)
