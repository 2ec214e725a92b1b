import matplotlib.pyplot as plt

fig1, ax1 = plt.subplots()
ax1.plot([1, 2, 3])
fig2, ax2 = plt.subplots()
ax2.plot([3, 2, 1])
fig2.savefig("second.png")
fig1.savefig("first.png")
