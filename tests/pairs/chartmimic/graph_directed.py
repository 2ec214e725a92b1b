import matplotlib.pyplot as plt
import numpy as np

import networkx as nx
G = nx.DiGraph([(0, 1), (1, 2), (2, 0)])
pos = {0: (0, 0), 1: (1, 0), 2: (0, 1)}
nx.draw_networkx_nodes(G, pos, node_color="orange")
nx.draw_networkx_edges(G, pos, edge_color=["red", "green", "blue"])
plt.axes([0.7, 0.7, 0.2, 0.2]).bar([1, 2], [2, 1])
plt.savefig("x.pdf")

# ----- candidate -----
import matplotlib.pyplot as plt
import numpy as np

import networkx as nx
G = nx.DiGraph([(0, 1), (1, 2), (2, 0)])
pos = {0: (0, 0), 1: (1, 0), 2: (0, 1)}
nx.draw_networkx_nodes(G, pos, node_color="orange")
nx.draw_networkx_edges(G, pos, edge_color="black")
