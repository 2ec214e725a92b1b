import io

import matplotlib.pyplot as plt
import pandas as pd

text = """month,visits
Jan,120
Feb,150
Mar,90
"""
df = pd.read_csv(io.StringIO(text))
plt.bar(df["month"], df["visits"], color=["r", "g", "b"])
plt.show()
