import matplotlib.pyplot as plt
import numpy as np
from scipy.cluster.hierarchy import dendrogram, linkage

points = np.random.RandomState(4).rand(12, 2)
dendrogram(linkage(points, "ward"), labels=list("abcdefghijkl"))
plt.show()
