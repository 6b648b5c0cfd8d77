"""What we forward to the resource server: routes, headers, connections."""
