import matplotlib.pyplot as plt
import numpy as np

year = [1950, 1960, 1970, 1980, 1990, 2000, 2010, 2018]
population = {"Africa": [.228, .284, .365, .477, .631, .814, 1.044, 1.275],
              "Americas": [.340, .425, .519, .619, .727, .840, .943, 1.006],
              "Asia": [1.394, 1.686, 2.120, 2.625, 3.202, 3.714, 4.169, 4.560]}
fig, ax = plt.subplots()
ax.stackplot(year, population.values(), labels=population.keys(), alpha=0.8)
ax.legend(loc="upper left", reverse=True)
ax.set_title("World population")
plt.show()
